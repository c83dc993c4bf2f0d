package cases

import "embed"

//go:embed *.txtar
var archives embed.FS
