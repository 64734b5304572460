const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Of any version, in the one spelling that may stand in a statement's text as it is. */
export const isUuid = (text: string): boolean => UUID.test(text);
