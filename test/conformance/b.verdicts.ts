// The verdicts of section B: PostgreSQL, the wire.
import type { Verdict } from './verdicts.ts';

export const B: Readonly<Record<string, Verdict>> = {
  B1: {
    status: 'fails closed',
    attack: 'FunctionCall, replication, COPY messages out of place',
    shows:
      'FunctionCall and replication are refused, stray COPY messages ignored, unknown ones end the session; a Sync behind data of a COPY, which the server would ignore, ends the COPY',
  },
  B2: {
    status: 'withstood',
    attack: 'plaintext behind SSLRequest, TLS in TLS, GSSENCRequest, direct TLS',
    shows:
      'bytes behind a request for encryption, a second request and direct TLS without ALPN are refused; each proper way in works',
  },
  B3: {
    status: 'withstood',
    attack: 'protocol 3.2, `_pq_.` options, long cancel keys',
    shows:
      '3.0 and 3.2 are spoken with keys of 4 and 32 bytes, later minors and unknown options negotiated, other majors refused',
  },
  B4: {
    status: 'fails closed',
    attack: 'lengths that cannot be, splits at every byte, unbounded names',
    shows:
      'impossible lengths and bodies end the session at once, every message works a byte at a time; names of statements and portals beyond 63 bytes, which the server would cut, end the session',
  },
  B5: {
    status: 'withstood',
    attack: 'a hostile database',
    shows:
      'what no honest database says, during login or after, ends that session alone with 08006, and the credential is in no error',
  },
  B6: {
    status: 'withstood',
    attack: 'a refusal in the middle of a pipeline',
    shows:
      'earlier replies come first, the rest is discarded to Sync, one Z tells the true status, what ran in the pipeline is rolled back, the next query is answered',
  },
  B7: {
    status: 'fails closed',
    attack: 're-Parse, Close then Execute, Execute and open portals at the grant’s end',
    shows:
      'each new text is judged, closed or re-made names are not executed, the end of a grant stops sleeps, COPYs, portals and results with FATAL 57P01 (in the middle of a row of more than 32 KiB the connection closes without it); a name serves either Parse or SQL’s PREPARE in a session, not both',
  },
  B8: {
    status: 'withstood',
    attack: 'Execute without Describe, formats that Describe did not say',
    shows: 'rows are masked by the plan of their own portal and formats, whichever way the portal was reached',
  },
  B9: {
    status: 'withstood',
    attack: 'CancelRequest with foreign or stale keys, clients that leave',
    shows:
      'only the keys that the gateway gave cancel, and only their own statement; who leaves takes the statement and its transaction along; what is held then never runs',
  },
  B10: {
    status: 'withstood',
    attack: 'asynchronous messages between rows, SCRAM-PLUS through another TLS end',
    shows: 'notices, notifications and parameter changes arrive in their place; a binding to another certificate fails',
  },
  B11: {
    status: 'open',
    attack: 'clients that do not read, send without reading, are slow or gone',
    shows:
      'a stalled reader stops the database and a flood is no longer read, with memory flat; half handshakes and silent sessions end; a peer that vanishes without a packet while its statement runs is noticed only by TCP keep-alive (from 30 s on), which no test shows',
  },
};
