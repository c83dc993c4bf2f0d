package exchange

// Op says what an Edit does.
type Op uint8

const (
	// OpRemove removes every field of the name.
	OpRemove Op = iota
	// OpSet replaces every field of the name by one.
	OpSet
	// OpAdd appends a field.
	OpAdd
)

// Edit is one change to a head. Edits are data, so that an engine applies them
// while it serialises and an unchanged field is never copied.
type Edit struct {
	Op Op
	// Sound: Name is a token and Value has no byte that a value may not have. Engines
	// look at what is not.
	Sound       bool
	Name, Value string
}

// Edits is a list of changes; a later one sees the effect of the earlier ones.
type Edits []Edit

// Remove appends a removal.
func (e *Edits) Remove(name string) { *e = append(*e, Edit{Op: OpRemove, Name: name}) }

// Set appends a replacement.
func (e *Edits) Set(name, value string) {
	*e = append(*e, Edit{Op: OpSet, Name: name, Value: value})
}

// SetSound is Set for a constant name and a value that is made of what a parser has
// let through, or of our own text: engines do not look at them again.
func (e *Edits) SetSound(name, value string) {
	*e = append(*e, Edit{Op: OpSet, Sound: true, Name: name, Value: value})
}

// Add appends an addition.
func (e *Edits) Add(name, value string) {
	*e = append(*e, Edit{Op: OpAdd, Name: name, Value: value})
}

// Apply appends to dst what is left of fields after the edits and returns it.
// dst must not overlap fields. Without edits it is a plain copy.
func Apply(dst, fields Fields, edits Edits) Fields {
	for _, f := range fields {
		if !edits.touch(f.Name) {
			dst = append(dst, f)
		}
	}
	for i, e := range edits {
		if e.Op == OpRemove || edits[i+1:].touch(e.Name) {
			continue
		}
		dst = append(dst, Field{e.Name, e.Value})
	}
	return dst
}

// touch tells whether any edit replaces or removes the fields of that name.
func (e Edits) touch(name string) bool {
	for i := range e {
		if e[i].Op != OpAdd && EqualFold(e[i].Name, name) {
			return true
		}
	}
	return false
}
