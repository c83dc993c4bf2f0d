package loop

// idle holds the connections of a pool that carry nothing, in the order in which they
// came.
type idle struct {
	newest, oldest *upstream
	n              int
}

// kept is a connection's place there.
type kept struct {
	in           bool
	newer, older *upstream
}

func (i *idle) add(u *upstream) {
	u.kept = kept{in: true, older: i.newest}
	if i.newest != nil {
		i.newest.kept.newer = u
	} else {
		i.oldest = u
	}
	i.newest = u
	i.n++
}

// remove takes a connection out, if it is there.
func (i *idle) remove(u *upstream) {
	k := u.kept
	if !k.in {
		return
	}
	u.kept = kept{}
	if k.newer != nil {
		k.newer.kept.older = k.older
	} else {
		i.newest = k.older
	}
	if k.older != nil {
		k.older.kept.newer = k.newer
	} else {
		i.oldest = k.newer
	}
	i.n--
}
