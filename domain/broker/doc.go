// Package broker is the collaboration service: it takes logins, resumes and
// messages from devices, decides on them, writes what was decided to the log,
// and keeps one upstream conversation for each session.
//
// # Shape
//
// One goroutine, the sequencer, owns the [domain.Ledger]. It takes commands,
// decides, and gathers the events into a batch; while one batch is being synced
// to disk it decides the next. Nobody is answered before the batch that holds
// their events is durable. A batch that cannot be written stops the broker: the
// ledger is ahead of the disk, and only a restart reads the truth again.
//
// Each session's I/O state lies under one lock. What comes from its device or
// from its upstream conversation is worked off under it, on the goroutine that
// brought it: the state has one owner at a time, a slow device slows its own
// upstream and nobody else, and an idle session costs no goroutine. A second
// lock, taken before the first, is held while upstream is called: what comes
// from there does not wait for what goes there. No session's lock is ever taken
// by the sequencer or the log writer; they may be waited for with the locks held.
//
// # Vocabulary
//
//   - Link: one device's connection, live from its handshake on.
//   - Conversation: one session's own connection to the upstream server.
//   - Item: a message that a device shall see, numbered, and kept in its mailbox
//     until the device acknowledges it.
//   - Mailbox: what waits for one device under one account, in the [Inbox].
//   - News: what changed in the roster or of a contact; not kept, but made again
//     from what holds.
//   - Fence: the number of the link that speaks for a session; an older one is
//     not heard any more.
//   - Directory: who is meant by a key or a name; made of side records.
//
// # What it never does
//
// It knows no wire format, opens no socket and no file, and imports nothing but
// the domain and the standard library: what it needs it declares as ports (see
// [Log], [Inbox], [Connector], [Link], [Clock]).
package broker
