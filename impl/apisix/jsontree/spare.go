package jsontree

const (
	// few members fit into the smallest map that Go makes.
	few = 8
	// many members are more than a map that is kept for later may have had.
	many = 64
	// maxSpare bounds the maps of either size that are kept for later.
	maxSpare = 64
	// usual is for how many members there is room before they are counted.
	usual = 16
)

// Release gives back the maps of a tree that nobody reads any more, but for those in
// lists, and the list of its members. Decode uses them again: of what decoding an object
// costs they are the most.
func Release(tree map[string]any, members []Member) {
	d := decoders.Get().(*decoder)
	d.release(tree)
	if len(members) > 0 && cap(members) <= many {
		clear(members) // it would keep the text in memory
		d.spareMembers = members[:0]
	}
	decoders.Put(d)
}

// noMembers is an empty list of members.
func (d *decoder) noMembers() []Member {
	if spare := d.spareMembers; spare != nil {
		d.spareMembers = nil
		return spare
	}
	return make([]Member, 0, usual)
}

func (d *decoder) release(m map[string]any) {
	if len(m) == 0 {
		return // of no use, or given back already
	}
	for _, v := range m {
		if below, ok := v.(map[string]any); ok {
			d.release(below)
		}
	}
	size := sizeOf(len(m))
	if len(m) <= many && len(d.spare[size]) < maxSpare {
		clear(m)
		d.spare[size] = append(d.spare[size], m)
	}
}

// mapOf is an empty map for so many members.
func (d *decoder) mapOf(members int) map[string]any {
	spare := &d.spare[sizeOf(members)]
	if last := len(*spare) - 1; last >= 0 {
		m := (*spare)[last]
		(*spare)[last] = nil
		*spare = (*spare)[:last]
		return m
	}
	return make(map[string]any, members)
}

func sizeOf(members int) int {
	if members <= few {
		return 0
	}
	return 1
}
