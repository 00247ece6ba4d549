// The statements of sending-workers-api.md as published, line breaks restored; the page has nothing around them.
const routes = {
  async "/basic-usage"(env: Env) {
    const response = await env.EMAIL.send({
      to: "recipient@example.com",
      from: "welcome@yourdomain.com",
      subject: "Welcome to our service!",
      html: "<h1>Welcome!</h1><p>Thanks for signing up.</p>",
      text: "Welcome! Thanks for signing up.",
    });

    return response;
  },

  async "/attachments"(env: Env) {
    const response = await env.EMAIL.send({
      to: "customer@example.com",
      from: "invoices@yourdomain.com",
      subject: "Your Invoice",
      html: "<h1>Invoice attached</h1><p>Please find your invoice attached.</p>",
      attachments: [
        {
          content: "JVBERi0xLjQKJeLjz9MKMSAwIG9iag...", // Base64 PDF content
          filename: "invoice-12345.pdf",
          type: "application/pdf",
          disposition: "attachment",
        },
      ],
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
