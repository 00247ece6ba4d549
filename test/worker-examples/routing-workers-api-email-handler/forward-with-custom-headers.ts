// As published in routing-workers-api-email-handler.md; its line breaks are restored.
export default {
  async email(message, env, ctx): Promise<void> {
    // Create custom headers
    const customHeaders = new Headers();
    customHeaders.set("X-Processed-By", "Email-Worker");
    customHeaders.set("X-Processing-Time", new Date().toISOString());
    customHeaders.set("X-Original-Recipient", message.to);
    customHeaders.set("X-Spam-Score", "0.1"); // Example spam score

    // Forward with custom headers
    await message.forward("processed@example.com", customHeaders);
  },
};
