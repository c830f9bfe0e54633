package gwserver

import (
	"strings"

	"rollcall/adapters/groupwise/wire"
)

// handlers have one entry for each request that is understood. They are called
// with the lock held, and give the answer's fields.
var handlers map[string]func(*Server, *session, wire.Fields) (wire.Fields, wire.Code)

func init() { // the handlers lead back here
	handlers = map[string]func(*Server, *session, wire.Fields) (wire.Fields, wire.Code){
		wire.CommandLogin:         (*Server).login,
		wire.CommandPing:          (*Server).ping,
		wire.CommandSetStatus:     (*Server).setStatus,
		wire.CommandGetStatus:     (*Server).getStatus,
		wire.CommandGetDetails:    (*Server).getDetails,
		wire.CommandCreate:        (*Server).createConversation,
		wire.CommandSend:          (*Server).sendMessage,
		wire.CommandTyping:        (*Server).sendTyping,
		wire.CommandInvite:        (*Server).sendInvite,
		wire.CommandJoin:          (*Server).joinConversation,
		wire.CommandReject:        (*Server).rejectInvitation,
		wire.CommandLeave:         (*Server).leaveConversation,
		wire.CommandCreateFolder:  (*Server).createFolder,
		wire.CommandCreateContact: (*Server).createContact,
		wire.CommandDeleteContact: (*Server).deleteContact,
		wire.CommandMoveContact:   (*Server).moveContact,
		wire.CommandUpdateItem:    (*Server).updateItem,
	}
}

// handle answers a request; false ends the connection. A request without a
// transaction cannot be answered.
func (s *Server) handle(c *session, r *wire.Request) bool {
	transaction, ok := r.Transaction()
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	command := strings.ToLower(r.Command)
	switch fault := s.faults.next(command); fault.kind {
	case faultSilence:
		return true
	case faultCode:
		c.put(wire.Respond(transaction, fault.code))
		return true
	case faultBytes:
		c.putBytes(fault.bytes)
		return true
	case faultRedirect:
		response := wire.Respond(transaction, wire.OK)
		response.Status, response.Headers = 301, []wire.Header{{Name: "Location", Value: "https://" + fault.address + "/"}}
		c.put(response)
		return true
	}
	handler := handlers[command]
	switch { // events for the same client may come before the answer
	case c.user == nil && command != wire.CommandLogin:
		c.put(wire.Respond(transaction, wire.AccessDenied))
	case handler == nil:
		c.put(wire.Respond(transaction, wire.NotSupported))
	default:
		answer, code := handler(s, c, r.Fields)
		c.put(wire.Respond(transaction, code, answer...))
	}
	return true
}

func (s *Server) ping(*session, wire.Fields) (wire.Fields, wire.Code) { return nil, wire.OK }
