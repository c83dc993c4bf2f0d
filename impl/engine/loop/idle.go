package loop

// idle holds connections that carry nothing, in the order in which they came: those of a
// pool, or those of all pools of a loop.
type idle struct {
	newest, oldest *upstream
	n              int
	of             place
}

// place tells the two lists of a connection apart.
type place int

const (
	ofPool place = iota
	ofLoop
	places
)

// kept is a connection's place in a list.
type kept struct {
	in           bool
	newer, older *upstream
}

func (i *idle) add(u *upstream) {
	u.kept[i.of] = kept{in: true, older: i.newest}
	if i.newest != nil {
		i.newest.kept[i.of].newer = u
	} else {
		i.oldest = u
	}
	i.newest = u
	i.n++
}

// remove takes a connection out, if it is there.
func (i *idle) remove(u *upstream) {
	k := u.kept[i.of]
	if !k.in {
		return
	}
	u.kept[i.of] = kept{}
	if k.newer != nil {
		k.newer.kept[i.of].older = k.older
	} else {
		i.newest = k.older
	}
	if k.older != nil {
		k.older.kept[i.of].newer = k.newer
	} else {
		i.oldest = k.newer
	}
	i.n--
}
