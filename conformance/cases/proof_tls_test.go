package cases

var tlsBugs = map[string][]string{}
