-- 0003: remarks. Annotators note what a mask can't say ("which of the two is meant?") and flag what somebody should look at,
-- saying why. Both belong to an annotation or, where they are about the picture and not about what was drawn, to the image.
-- NULL: there is none.
ALTER TABLE annotations ADD COLUMN note TEXT;
ALTER TABLE annotations ADD COLUMN flag TEXT;
ALTER TABLE images ADD COLUMN note TEXT;
ALTER TABLE images ADD COLUMN flag TEXT;
