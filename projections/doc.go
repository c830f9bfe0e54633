// Package projections keeps views of the event log: what the events add up to,
// in a form that answers one kind of question.
//
// # Shape
//
// A [Projection] says how a view is made; its [Fold] makes it. Folding happens
// in memory, and only the rows that changed are written. A [Set] holds the
// projections of one log in one file and feeds them; whoever asks a view reads
// the file in a read transaction and sees the view as of one position.
//
// # The file
//
// projections.db is a bbolt file and disposable: all that is in it can be made
// again from the log, and is, when the file is missing or damaged.
//
//	live/NAME/about      {"version","log","cursor","mark"} as JSON
//	live/NAME/view/KEY   one row as JSON; what KEY is, the projection says
//	rebuild/NAME/...     the same, of a view in the making
//
// A view and its cursor are always written in one transaction, and with them a mark:
// digests of all records up to the cursor. A view is taken up again only if it was
// made by the same version of the projection, from the same log, and if the log
// has these very records; otherwise it is made anew.
//
// # Vocabulary
//
//   - View: the rows that a projection makes of the log. Row: a key and a value.
//   - Cursor: the position of the last record that is in the view.
//   - Mark: what tells the records up to a cursor from those of another history
//     of the same log. It rests on the log's chain of digests, where it has one.
//   - Stopped: a projection that met an event it does not know makes no guess;
//     its view stays as of the record in front, and says so.
//   - Rebuild: make a view again from the first record, beside the live one;
//     compare the two; put the new one in the old one's place.
//   - Check: make a view again and only compare.
//
// # What it never does
//
// It decides nothing and writes nothing to the log. A view holds positions, ids
// and settings, and no personal data: names are side records, joined by whoever
// prints.
package projections
