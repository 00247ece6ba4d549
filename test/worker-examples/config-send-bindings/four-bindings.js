// Not on the page, which has a configuration alone: sends what it is asked to over the binding that it is asked for.
export default {
  async fetch(request, env) {
    const { binding, message } = await request.json();
    try {
      return Response.json(await env[binding].send(message));
    } catch (error) {
      return Response.json({ code: error.code, message: error.message });
    }
  },
};
