// Package rtf turns the RTF in which GroupWise Messenger sends messages into text,
// and text into RTF that its clients can read. Format and colour are lost.
//
// # Vocabulary
//
//   - Control: a backslash with a word and maybe a number, or with one character.
//   - Group: what stands between braces; what is set inside ends with it.
//   - Destination: a group whose text is not part of the message, such as the
//     font table.
//   - Fallback: what stands behind a \u for readers that do not know it.
//
// # What it never does
//
// It never fails: messages arrive cut off in the middle, and what can be read of
// them is given. It takes memory in proportion to the input, however that is
// nested.
//
// The format is Microsoft's Rich Text Format, version 1.9.1.
package rtf
