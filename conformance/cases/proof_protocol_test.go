package cases

var protocolBugs = map[string][]string{}
