// Package why tells from a log why somebody was refused, let in or logged out.
//
// It reads the log once, from its beginning up to where the answer is known, and
// folds it as the broker does: a decision is told from what the ledger was in
// front of it, and is derived again by the rules. What it remembers grows with what
// is live, not with what happened.
//
// # Vocabulary
//
//   - Decision: the records that were written on one question, such as a login's
//     request, whom it logged out, and its admission.
//   - Subject: the one record of a decision that tells what became of whoever is
//     asked about.
//   - Rule: what decided. Those of a login have an order: known service,
//     permitted, backed off, superseding, room, failed-300, evict, server-busy.
//
// It works on any log that can be read, and writes nothing. A name whose side record
// has been deleted is empty; the account then speaks of a device.
package why
