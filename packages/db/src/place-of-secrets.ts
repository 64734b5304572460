/** Where a channel's sealed secrets lie, which is what they are bound to: in other words than these, what is stored opens no more. */
export const placeOfSecrets = (tenantId: string, channelId: string) => ({
  tenantId,
  table: 'channels',
  rowId: channelId,
  column: 'secrets',
});
