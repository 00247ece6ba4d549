// Not on the page: a Worker around the page's utility function, so that it can be asked over HTTP.
import { sendEmail } from "./check-suppression.js";

export default {
  async fetch(request, env) {
    const recipient = new URL(request.url).searchParams.get("to");
    return Response.json((await sendEmail(recipient, "Hello", "Hello", env)) ?? "would send");
  },
};
