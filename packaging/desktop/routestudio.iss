; Inno Setup's description of the installer for Windows. Not yet run on Windows.
; packaging/freeze passes the version and the folder: ISCC /DVersion=0.3.0 /DFrom=... /DTo=...
[Setup]
AppId=RouteStudio
AppName=RouteStudio
AppVersion={#Version}
AppPublisher=The RouteStudio contributors
DefaultDirName={autopf}\RouteStudio
DefaultGroupName=RouteStudio
; For the user alone unless asked otherwise: no administrator is needed.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
ChangesAssociations=yes
ChangesEnvironment=yes
Compression=lzma2/max
SolidCompression=yes
OutputDir={#To}
OutputBaseFilename=RouteStudio-{#Version}-setup
UninstallDisplayIcon={app}\RouteStudio-window.exe

[Files]
Source: "{#From}\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{group}\RouteStudio"; Filename: "{app}\RouteStudio-window.exe"

[Registry]
; Offered under "Open with" for YAML files; nobody's choice is taken away.
Root: HKA; Subkey: "Software\Classes\RouteStudio.Project"; ValueType: string; ValueData: "RouteStudio project"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\RouteStudio.Project\shell\open\command"; ValueType: string; ValueData: """{app}\RouteStudio-window.exe"" ""%1"""
Root: HKA; Subkey: "Software\Classes\.yaml\OpenWithProgids"; ValueType: string; ValueName: "RouteStudio.Project"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.yml\OpenWithProgids"; ValueType: string; ValueName: "RouteStudio.Project"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; Check: PathIsWanted

[Tasks]
Name: path; Description: "Let terminals find the command routestudio"; Flags: unchecked

[Code]
function PathIsWanted: Boolean;
var
  Known: string;
begin
  Result := WizardIsTaskSelected('path') and not IsAdminInstallMode;
  if Result and RegQueryStringValue(HKEY_CURRENT_USER, 'Environment', 'Path', Known) then
    Result := Pos(';' + ExpandConstant('{app}') + ';', ';' + Known + ';') = 0;
end;
