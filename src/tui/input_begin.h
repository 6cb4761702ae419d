/* Between screen.c and input.c: with the terminal, its keys begin and end. */
#ifndef PSST_TUI_INPUT_BEGIN_H
#define PSST_TUI_INPUT_BEGIN_H

/* After the terminal library has read what kind of terminal it is. */
void psst_input_begin(void);
void psst_input_end(void);

#endif
