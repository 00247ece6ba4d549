// As published in routing-workers-api-email-handler.md; its line breaks are restored.
export default {
  async email(message, env, ctx): Promise<void> {
    const subject = message.headers.get("subject") || "";

    if (subject.toLowerCase().includes("security")) {
      // Forward to multiple addresses for security issues
      await Promise.all([
        message.forward("security@example.com"),
        message.forward("admin@example.com"),
        message.forward("ciso@example.com"),
      ]);
    } else {
      await message.forward("general@example.com");
    }
  },
};
