/** Headers on everything that is answered, by whichever edge. */
import helmet from 'helmet';

export const securityHeaders = helmet({
  contentSecurityPolicy: {
    directives: {
      // Sockets of the pages' own origin: not every browser counts them as 'self'.
      connectSrc: ["'self'", 'ws:', 'wss:'],
      // We may be served without TLS, in a local network; a page must then not ask for it.
      upgradeInsecureRequests: null,
    },
  },
  // Shops load the widget's script from us.
  crossOriginResourcePolicy: { policy: 'cross-origin' },
  // Whoever ends TLS in front of us decides that, for the whole domain.
  strictTransportSecurity: false,
});
