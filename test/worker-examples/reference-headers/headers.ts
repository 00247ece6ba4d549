// The statements of reference-headers.md as published, line breaks restored; the page has nothing around them.
const routes = {
  async "/"(env: Env) {
    const response = await env.EMAIL.send({
      to: "user@example.com",
      from: "notifications@yourdomain.com",
      subject: "Your weekly digest",
      html: "<h1>Weekly Digest</h1>",
      headers: {
        // Threading
        "In-Reply-To": "<original-message-id@yourdomain.com>",
        References: "<original-message-id@yourdomain.com>",

        // List management (required by Gmail/Yahoo for bulk senders)
        "List-Unsubscribe": "<https://yourdomain.com/unsubscribe?id=abc123>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",

        // Custom tracking
        "X-Campaign-ID": "weekly-digest-2026-03",
        "X-User-Segment": "premium",
      },
    });

    return response;
  },
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    try {
      return Response.json(await routes[new URL(request.url).pathname](env));
    } catch ({ code, message }) {
      return Response.json({ code, message }, { status: 500 });
    }
  },
};
