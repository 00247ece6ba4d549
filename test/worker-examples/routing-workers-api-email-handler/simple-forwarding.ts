// As published in routing-workers-api-email-handler.md; its line breaks are restored.
export default {
  async email(message, env, ctx): Promise<void> {
    // Forward to a single address
    await message.forward("team@example.com");
  },
};
