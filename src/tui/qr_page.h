/* A QR code on the whole terminal, or how large that would have to be. Any key leaves it. */
#ifndef PSST_TUI_QR_PAGE_H
#define PSST_TUI_QR_PAGE_H

struct psst_app;

void psst_qr_page_open(struct psst_app *app, const char *title, const char *text);

#endif
