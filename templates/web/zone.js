// Fills in the time zone of the browser, where the field is empty. The form works without it.
(function () {
  "use strict";
  var field = document.getElementById("timezone");
  try {
    var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (field && !field.value && zone && zone.indexOf("/") > 0) field.value = zone;
  } catch (error) {
    // A browser without time zones: the person types one, or leaves the field empty.
  }
})();
