/** `secretKey` → `TOCSIN_SECRET_KEY`. */
export const variableOf = (key: string): string => `TOCSIN_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
