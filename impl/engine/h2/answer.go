package h2

import (
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// found is what is among the fields that were written, or would have been.
type found uint8

const (
	foundDate     found = 1 << iota
	foundTrailers       // TE, with trailers
)

// fields writes what exchange.Apply would leave, without the engine's own.
func (e *encoder) fields(b []byte, fields exchange.Fields, edits exchange.Edits, request bool) (_ []byte, has found) {
	var edited uint64 // the lengths of names that edits replace or remove
	for i := range edits {
		if x := &edits[i]; x.Op != exchange.OpAdd {
			edited |= 1 << (len(x.Name) & 63)
		}
	}
	for i := range fields {
		f := &fields[i]
		if f.Name == "" || edited>>(len(f.Name)&63)&1 == 1 && touches(edits, f.Name) {
			continue
		}
		has |= lookAt(f.Name, f.Value)
		if owns(f.Name) || request && isHost(f.Name) {
			continue
		}
		b = e.field(b, f.Name, f.Value)
	}
	for i := range edits {
		x := &edits[i]
		if x.Op == exchange.OpRemove || !h1.IsToken(x.Name) || touches(edits[i+1:], x.Name) {
			continue
		}
		has |= lookAt(x.Name, x.Value)
		if owns(x.Name) || request && isHost(x.Name) {
			continue
		}
		b = e.field(b, x.Name, x.Value)
	}
	return b, has
}

// announce writes the names of trailers to come.
func (e *encoder) announce(b []byte, names exchange.Fields) []byte {
	list := ""
	for _, t := range names {
		switch {
		case !h1.IsToken(t.Name), h1.DropTrailer(t.Name), owns(t.Name):
		case list == "":
			list = t.Name
		default:
			list += ", " + t.Name // trailers of which several are announced are rare
		}
	}
	if list == "" {
		return b
	}
	return e.field(b, "trailer", list)
}

// touches tells whether any edit replaces or removes the fields of that name.
func touches(edits exchange.Edits, name string) bool {
	for i := range edits {
		if edits[i].Op != exchange.OpAdd && exchange.EqualFold(edits[i].Name, name) {
			return true
		}
	}
	return false
}

// lookAt finds what else depends on.
func lookAt(name, value string) found {
	switch len(name) {
	case len("Date"):
		if exchange.EqualFold(name, "Date") {
			return foundDate
		}
	case len("TE"):
		if exchange.EqualFold(name, "TE") {
			for t := range exchange.Tokens(value) {
				if exchange.EqualFold(t, "trailers") {
					return foundTrailers
				}
			}
		}
	}
	return 0
}

func isHost(name string) bool { return len(name) == len("Host") && exchange.EqualFold(name, "Host") }

// owns tells the fields that the engine writes itself, or that HTTP/2 does not have.
func owns(name string) bool {
	switch len(name) {
	case len("TE"):
		return exchange.EqualFold(name, "TE")
	case len("Trailer"): // and Upgrade
		return exchange.EqualFold(name, "Trailer") || exchange.EqualFold(name, "Upgrade")
	case len("Connection"): // and Keep-Alive
		return exchange.EqualFold(name, "Connection") || exchange.EqualFold(name, "Keep-Alive")
	case len("Content-Length"):
		return exchange.EqualFold(name, "Content-Length")
	case len("Proxy-Connection"):
		return exchange.EqualFold(name, "Proxy-Connection")
	case len("Transfer-Encoding"):
		return exchange.EqualFold(name, "Transfer-Encoding")
	}
	return false
}
