;; => refused: envelope: envelope field radius_m is NaN, which is out of its range above 0, at most 256
;; Its envelope reaches NaN metres.
(@custom "ugc:envelope" "\01\00\01\01\ff\07\00\00\00\00\c0\7f\00\00\c0\40\00\00\70\42\00\00\00\00\40\00\00\00\08\00\08\00\00\00\00\00\00\00\00\00\00\00\c0\40")
