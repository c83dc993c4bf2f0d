package h2

import (
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// fields writes what exchange.Apply would leave, without the engine's own, and tells
// whether a Date is among them.
func (e *encoder) fields(b []byte, fields exchange.Fields, edits exchange.Edits) (_ []byte, dated bool) {
	var edited uint64 // the lengths of names that edits replace or remove
	for i := range edits {
		if x := &edits[i]; x.Op != exchange.OpAdd {
			edited |= 1 << (len(x.Name) & 63)
		}
	}
	for i := range fields {
		f := &fields[i]
		if f.Name == "" || owns(f.Name) || edited>>(len(f.Name)&63)&1 == 1 && touches(edits, f.Name) {
			continue
		}
		dated = dated || isDate(f.Name)
		b = e.field(b, f.Name, f.Value)
	}
	for i := range edits {
		x := &edits[i]
		if x.Op == exchange.OpRemove || owns(x.Name) || !h1.IsToken(x.Name) || touches(edits[i+1:], x.Name) {
			continue
		}
		dated = dated || isDate(x.Name)
		b = e.field(b, x.Name, x.Value)
	}
	return b, dated
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

func isDate(name string) bool { return len(name) == len("Date") && exchange.EqualFold(name, "Date") }

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
