// Not on the page: tries what its rules about reply() forbid, and rejects the message with what came of each, as JSON.
import { EmailMessage } from "cloudflare:email";
import { createMimeMessage } from "mimetext";

export default {
  async email(message, env, ctx): Promise<void> {
    async function attempt(from, to) {
      const msg = createMimeMessage();
      msg.setSender(from);
      msg.setRecipient(to);
      msg.setSubject("An answer");
      msg.addMessage({ contentType: "text/plain", data: "Hello." });
      try {
        return (await message.reply(new EmailMessage(from, to, msg.asRaw()))).messageId;
      } catch (error) {
        return error instanceof Error ? error.code : "no error";
      }
    }

    const said = [
      await attempt(message.to, "somebody.else@example.com"),
      await attempt("rules@elsewhere.example", message.from),
      await attempt(message.to, message.from),
      await attempt(message.to, message.from),
    ];
    message.setReject(JSON.stringify(said));
  },
};
