const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** C0, DEL and C1: they forge log lines and terminals, and PostgreSQL refuses NUL. */
export const hasControlCharacters = (text: string): boolean => CONTROL.test(text);
