package codec

import "rollcall/domain"

func encodeBrokerStarted(w *writer, e *domain.BrokerStarted) { w.text(1, e.Version) }

func decodeBrokerStarted(r *reader, e *domain.BrokerStarted) {
	for r.next() {
		switch r.field {
		case 1:
			e.Version = r.text()
		default:
			r.skip()
		}
	}
}

func encodeBrokerStopped(*writer, *domain.BrokerStopped) {}

func decodeBrokerStopped(*numbers, *domain.BrokerStopped) {}
