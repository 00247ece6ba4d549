// As published in example-storage-and-queues.md; its line breaks are restored.
import { EmailMessage } from "cloudflare:email";
import { createMimeMessage } from "mimetext";

interface Env {
  EMAIL: SendEmail;
  EMAILS: KVNamespace;
  SUPPORT_TICKETS: KVNamespace;
}

export default {
  async email(message, env, ctx): Promise<void> {
    const emailId = `email-${Date.now()}-${Math.random().toString(36).substr(2, 9)}`;

    // Read email content as an ArrayBuffer, then decode to a string
    const rawBuffer = await new Response(message.raw).arrayBuffer();
    const rawContent = new TextDecoder().decode(rawBuffer);

    // Store email metadata and content
    const emailData = {
      id: emailId,
      from: message.from,
      to: message.to,
      subject: message.headers.get("subject"),
      timestamp: new Date().toISOString(),
      size: message.rawSize,
      rawContent: rawContent,
      processed: false,
    };

    await env.EMAILS.put(emailId, JSON.stringify(emailData));

    // Process based on recipient
    if (message.to.includes("support@")) {
      await handleSupportEmail(message, env, emailId);
    } else {
      await message.forward("general@example.com");
    }
  },
};

async function handleSupportEmail(message, env, emailId) {
  const ticketId = `TICKET-${Date.now()}`;

  // Create support ticket
  const ticketData = {
    id: ticketId,
    emailId: emailId,
    from: message.from,
    subject: message.headers.get("subject"),
    status: "open",
    priority: "normal",
    createdAt: new Date().toISOString(),
    updatedAt: new Date().toISOString(),
  };

  await env.SUPPORT_TICKETS.put(ticketId, JSON.stringify(ticketData));

  // Send threaded auto-reply with ticket number
  const messageId = message.headers.get("Message-ID");
  const reply = createMimeMessage();
  if (messageId) {
    reply.setHeader("In-Reply-To", messageId);
    reply.setHeader("References", messageId);
  }
  reply.setSender(message.to);
  reply.setRecipient(message.from);
  reply.setSubject(`Support Ticket Created: ${ticketId}`);
  reply.addMessage({
    contentType: "text/html",
    data: `
            <h1>Support Ticket Created</h1>
            <p>Your support request has been received and assigned ticket number: <strong>${ticketId}</strong></p>
            <p>We will respond within 2-4 hours during business hours.</p>
            <hr>
            <p><em>Original subject: ${message.headers.get("subject")}</em></p>
        `,
  });

  await message.reply(
    new EmailMessage(message.to, message.from, reply.asRaw()),
  );

  // Forward to support team
  await message.forward("support-team@example.com");
}
