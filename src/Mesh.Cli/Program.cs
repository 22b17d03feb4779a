using Mesh.Cli;
using Mesh.Cli.Output;

return await MeshTool.RunAsync(args, ToolConsole.OfProcess(), CancellationToken.None);
