// SPDX-License-Identifier: MIT
// reader_records: what the two ends of the reader say to each other, in the link's frames. Both are of one binary.
#pragma once

enum reader_record {
        READER_RECORD_DEFINITION = 1, /* hash, file and line, name, when-text; its WHAT follows */
        READER_RECORD_WHAT,           /* the encoded what */
        READER_RECORD_BROKEN,         /* key of a file or job that could not be read */
        READER_RECORD_GROUP,          /* name, description, file, MaxRunning=, and whether it can't be used */
        READER_RECORD_DIAG,           /* one printed diagnostic */
        READER_RECORD_FOLDER,         /* a folder of drop-ins */
        READER_RECORD_ZONE,           /* a time zone that was asked for, see zone_news.h */
        READER_RECORD_PLACE,          /* a file or link on which the data of a zone depend */
        READER_RECORD_DONE,           /* settings and counts; nothing follows */
};
