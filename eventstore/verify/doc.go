// Package verify reads everything of an event log again and says what is wrong
// with it.
//
// # What is checked
//
//   - that every record and every side record can be read, which checks the
//     checksums, and that every record decodes by the schema;
//   - that positions are dense and times do not go back;
//   - that every reference is to an event of the right kind: a session is a
//     login-requested, a device a device-enrolled;
//   - that every side record stands under an event of the right kind;
//   - that every decision follows from the log in front of it and its own
//     evidence, by [domain.Replay];
//   - that the chain of digests over the log, where it has one, is of these
//     records.
//
// # Vocabulary
//
// A [Finding] is one thing that is wrong, with the positions it concerns and a
// typed error. A check goes on behind it wherever the log can still be read; only
// the decisions end with the first position that is lost, because nothing can be
// derived from what is not there. The prefix is what stands in front of it, up to
// the end of a decision: [Report.Salvage] writes it to another log.
//
// # What it never does
//
// It changes nothing in the log it reads. It does not judge a reference to a
// position that is lost, and it does not miss side records: they may be deleted.
package verify
