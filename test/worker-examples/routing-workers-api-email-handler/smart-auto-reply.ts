// As published in routing-workers-api-email-handler.md; its line breaks are restored.
import { EmailMessage } from "cloudflare:email";
import { createMimeMessage } from "mimetext";

export default {
  async email(message, env, ctx): Promise<void> {
    const sender = message.from;
    const recipient = message.to;
    const subject = message.headers.get("subject") || "";
    const messageId = message.headers.get("Message-ID");

    // Don't reply to automated emails
    if (
      sender.includes("noreply") ||
      sender.includes("no-reply") ||
      subject.toLowerCase().includes("automated")
    ) {
      await message.forward("team@example.com");
      return;
    }

    // Customized auto-reply based on recipient
    let html = "";

    if (recipient.includes("support@")) {
      html = `
                <h1>Support Request Received</h1>
                <p>Thank you for contacting support. Your request has been assigned ticket #${Date.now()}.</p>
                <p>Expected response time: 2-4 hours during business hours.</p>
            `;
    } else if (recipient.includes("sales@")) {
      html = `
                <h1>Sales Inquiry Received</h1>
                <p>Thank you for your interest in our products.</p>
                <p>A sales representative will contact you within 24 hours.</p>
            `;
    } else {
      html = `
                <h1>Message Received</h1>
                <p>Thank you for your message. We will respond within 2 business days.</p>
            `;
    }

    const reply = createMimeMessage();
    if (messageId) {
      reply.setHeader("In-Reply-To", messageId);
      reply.setHeader("References", messageId);
    }
    reply.setSender(recipient);
    reply.setRecipient(sender);
    reply.setSubject(`Re: ${subject}`);
    reply.addMessage({
      contentType: "text/plain",
      data: html.replace(/<[^>]*>/g, ""),
    });
    reply.addMessage({ contentType: "text/html", data: html });

    await message.reply(new EmailMessage(recipient, sender, reply.asRaw()));

    // Forward to appropriate team
    await message.forward("team@example.com");
  },
};
