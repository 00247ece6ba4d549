// As published in routing-workers-api-email-handler.md; its line breaks are restored.
export default {
  async email(message, env, ctx): Promise<void> {
    const recipient = message.to;
    const subject = message.headers.get("subject") || "";

    // Route based on recipient
    if (recipient.includes("support@")) {
      await message.forward("support-team@example.com");
    } else if (recipient.includes("sales@")) {
      await message.forward("sales-team@example.com");
    } else if (subject.toLowerCase().includes("urgent")) {
      await message.forward("urgent@example.com");
    } else {
      // Default routing
      await message.forward("general@example.com");
    }
  },
};
