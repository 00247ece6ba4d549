// As published in routing-workers-api-email-handler.md; its line breaks are restored.
export default {
  async email(message, env, ctx): Promise<void> {
    const subject = message.headers.get("subject") || "";

    // Reject based on subject content
    const spamKeywords = ["buy now", "limited time", "act fast", "urgent"];
    const containsSpam = spamKeywords.some((keyword) =>
      subject.toLowerCase().includes(keyword),
    );

    if (containsSpam) {
      message.setReject("Message appears to be spam");
      return;
    }

    // Check message size
    if (message.rawSize > 25 * 1024 * 1024) {
      // 25 MiB limit (inbound message size)
      message.setReject("Message too large");
      return;
    }

    // Continue processing
    await message.forward("inbox@example.com");
  },
};
