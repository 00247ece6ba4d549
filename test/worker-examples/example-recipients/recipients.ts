// The statements of example-recipients.md as published, line breaks restored; the page has nothing around them.
const routes = {
  async "/multiple-recipients"(env: Env) {
    const response = await env.EMAIL.send({
      to: ["user1@example.com", "user2@example.com", "user3@example.com"],
      from: { email: "newsletter@yourdomain.com", name: "Newsletter Team" },
      subject: "Monthly Newsletter",
      html: "<h1>This month's updates</h1>",
      text: "This month's updates",
    });

    return response;
  },

  async "/cc-and-bcc"(env: Env) {
    const response = await env.EMAIL.send({
      to: "customer@example.com",
      cc: ["manager@example.com"],
      bcc: ["archive@example.com"],
      from: "orders@yourdomain.com",
      replyTo: "support@yourdomain.com",
      subject: "Order Confirmation #12345",
      html: "<h1>Your order is confirmed</h1>",
      text: "Your order is confirmed",
    });

    return response;
  },

  async "/named-recipients"(env: Env) {
    const response = await env.EMAIL.send({
      to: { email: "jane@example.com", name: "Jane Doe" },
      from: { email: "support@yourdomain.com", name: "Support Team" },
      subject: "Welcome!",
      html: "<h1>Thanks for joining!</h1>",
      text: "Thanks for joining!",
    });

    return response;
  },

  async "/mixed-recipients"(env: Env) {
    const response = await env.EMAIL.send({
      to: ["plain@example.com", { email: "jane@example.com", name: "Jane Doe" }],
      from: "support@yourdomain.com",
      subject: "Team update",
      html: "<h1>Monthly update</h1>",
      text: "Monthly update",
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
