module @IDENT@

go 1.19
