// What config-mta-sts.md describes and links to: it passes on the service's policy at a host of one's own.
const POLICY = "https://mta-sts.mx.posthorn.test/.well-known/mta-sts.txt";

export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== "/.well-known/mta-sts.txt") {
      return new Response("Not Found", { status: 404 });
    }
    return fetch(POLICY);
  },
};
