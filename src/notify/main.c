/* psst-notify: shows one notification on the desktop. */
int main(void)
{
    return 1;
}
