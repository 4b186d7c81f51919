;; => refused: envelope: envelope section has 3 bytes, not 44
;; Its envelope has 3 bytes.
(@custom "ugc:envelope" "\01\00\00")
