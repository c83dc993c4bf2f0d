package loop

// idler is what a connection to a target, of HTTP/1.1 or HTTP/2, has for the times in which
// it carries nothing.
type idler struct {
	pool *pool
	put  uint64 // batch in which it last began to carry nothing
	who  quitter
	kept [places]kept
}

// A quitter ends a connection that carries nothing, and takes it out of its pool.
type quitter interface{ quit() }

// idle holds connections that carry nothing, in the order in which they came: those of a
// pool, or those of all pools of a loop.
type idle struct {
	newest, oldest *idler
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
	newer, older *idler
}

// idle tells whether a connection is in the lists.
func (c *idler) idle() bool { return c.kept[ofPool].in }

func (i *idle) add(c *idler) {
	c.kept[i.of] = kept{in: true, older: i.newest}
	if i.newest != nil {
		i.newest.kept[i.of].newer = c
	} else {
		i.oldest = c
	}
	i.newest = c
	i.n++
}

// remove takes a connection out, if it is there.
func (i *idle) remove(c *idler) {
	k := c.kept[i.of]
	if !k.in {
		return
	}
	c.kept[i.of] = kept{}
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
