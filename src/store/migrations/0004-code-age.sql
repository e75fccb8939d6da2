-- Since when a code has its digits (include/core/user.h): a changed one is a new one to whoever asks
-- how old it is, though it is the same credential. Of those that are there nobody knows; 0.

ALTER TABLE credential ADD COLUMN pin_set_at INTEGER NOT NULL DEFAULT 0;
