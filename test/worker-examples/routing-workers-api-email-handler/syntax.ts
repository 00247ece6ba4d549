// As published in routing-workers-api-email-handler.md; its line breaks are restored.
export default {
  async email(message, env, ctx): Promise<void> {
    // Process incoming email
    await message.forward("destination@example.com");
  },
} satisfies ExportedHandler<Env>;
