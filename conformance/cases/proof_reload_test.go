package cases

var reloadBugs = map[string][]string{
	"RELOAD-DELETE-EFFECT":       {"ignores deletes"},
	"RELOAD-KEEPALIVE-OVER-EDIT": {"pins connections", "closes on edit"},
	"RELOAD-EDIT-UNDER-LOAD":     {"drops at a reload", "applies late", "goes back now and then", "lets bad nodes in", "mixes answers"},
}
