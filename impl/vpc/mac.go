package vpc

import (
	"encoding/hex"
	"fmt"
)

// A MAC is a 48 bit Ethernet address. Its text form is lower-case hexadecimal
// with colons, "02:00:00:00:00:01". The zero value means "not known".
type MAC [6]byte

// ParseMAC reads the text form; it accepts upper-case digits and no other
// separator than the colon.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	if len(s) != 17 {
		return MAC{}, fmt.Errorf("parse MAC %q: want six pairs of hexadecimal digits joined by colons", s)
	}
	for i := range m {
		at := 3 * i
		if i > 0 && s[at-1] != ':' {
			return MAC{}, fmt.Errorf("parse MAC %q: want a colon at position %d", s, at)
		}
		if _, err := hex.Decode(m[i:i+1], []byte(s[at:at+2])); err != nil {
			return MAC{}, fmt.Errorf("parse MAC %q: %w", s, err)
		}
	}
	return m, nil
}

// String returns the text form.
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// IsZero reports whether the address is not known. JSON's omitzero uses it.
func (m MAC) IsZero() bool { return m == MAC{} }

// IsGroup reports whether the address names a group (multicast, broadcast)
// and therefore no single guest.
func (m MAC) IsGroup() bool { return m[0]&1 != 0 }

// MarshalText returns the text form.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the text form.
func (m *MAC) UnmarshalText(b []byte) error {
	got, err := ParseMAC(string(b))
	if err != nil {
		return err
	}
	*m = got
	return nil
}
