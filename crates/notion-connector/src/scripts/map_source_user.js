// Called for each person of the workspace with what Notion tells of them (the source field: an e-mail address unless you chose
// another). Return what is to be looked for in the directory field, as a string or a number; null for nobody.
//
// Examples of what could stand in it:
//
//   The part before the @:         return sourceUserValue.split("@")[0];
//   Another domain:                return sourceUserValue.replace(/@old\.example$/i, "@acme.example");
//   Without what follows a plus:   return sourceUserValue.replace(/\+[^@]*@/, "@");
//   One domain alone:              return /@acme\.example$/i.test(sourceUserValue) ? sourceUserValue : null;
//   A few by hand:                 return { "ana@home.example": "ana@acme.example" }[sourceUserValue] || sourceUserValue;
//   A number out of it:            return Number(sourceUserValue.replace(/\D/g, ""));

function mapSourceUser(sourceUserValue) {
  return sourceUserValue;
}
