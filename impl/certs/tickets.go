package certs

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"slices"
	"strconv"
	"time"
)

// ticketPeriod is how long one key seals session tickets. The key of the period
// before still opens them, so a ticket lives for one to two periods; that of the
// next one does, for gateways whose clocks are ahead of ours.
const ticketPeriod = 12 * time.Hour

// minSecret is how long a secret must be, in bytes.
const minSecret = 32

// Rotate puts the keys of the moment in force, and returns when it should be called
// again. Gateways with one secret come to the same keys without a word between
// them.
func (s *Server) Rotate(now time.Time) (next time.Time) {
	n := now.Unix() / int64(ticketPeriod/time.Second)
	s.keys.SetSessionTicketKeys([][32]byte{s.ticketKey(n), s.ticketKey(n - 1), s.ticketKey(n + 1)})
	return time.Unix((n+1)*int64(ticketPeriod/time.Second), 0)
}

func (s *Server) ticketKey(period int64) (key [32]byte) {
	b, err := hkdf.Key(sha256.New, s.o.Secret, nil, "unilb session tickets "+strconv.FormatInt(period, 10), len(key))
	if err != nil {
		panic(err) // only for keys that are too long for the hash
	}
	copy(key[:], b)
	return key
}

// markPrefix keeps our note in a session apart from those of others.
const markPrefix = "unilb "

// bind makes sessions of a certificate resumable with it only, under the same name:
// to resume one means that the client sees no certificate and shows none, so
// neither may have changed (RFC 6066, 3; RFC 8446, 4.6.1).
func (s *Server) bind(conf *tls.Config, c *Certificate) {
	if len(s.o.Secret) < minSecret {
		conf.SessionTicketsDisabled = true
		return
	}
	mark := func(state tls.ConnectionState) []byte {
		sum := sha256.Sum256(append(c.mark[:], s.named(state.ServerName)...))
		return append([]byte(markPrefix), sum[:]...)
	}
	conf.WrapSession = func(state tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ours := func(b []byte) bool { return bytes.HasPrefix(b, []byte(markPrefix)) }
		ss.Extra = append(slices.DeleteFunc(slices.Clone(ss.Extra), ours), mark(state))
		return s.keys.EncryptTicket(state, ss)
	}
	conf.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := s.keys.DecryptTicket(ticket, state)
		if err != nil || ss == nil {
			return nil, err
		}
		want := mark(state)
		if !slices.ContainsFunc(ss.Extra, func(b []byte) bool { return bytes.Equal(b, want) }) {
			return nil, nil // a full handshake
		}
		return ss, nil
	}
}
