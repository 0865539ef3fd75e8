
hello and more