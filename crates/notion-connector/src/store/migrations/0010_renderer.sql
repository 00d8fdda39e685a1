-- Whether anything is to be rendered again is asked at every start: the column stands behind the long ones of its row.
CREATE INDEX items_by_renderer ON items (renderer) WHERE rendered IS NOT NULL;
