// As published in routing-workers-api-email-handler.md; its line breaks are restored.
import PostalMime from "postal-mime";

export default {
  async email(message, env, ctx): Promise<void> {
    const email = await PostalMime.parse(message.raw);

    console.log(`Subject: ${email.subject}`);
    console.log(`Text: ${email.text}`);
    console.log(`HTML: ${email.html}`);
  },
};
