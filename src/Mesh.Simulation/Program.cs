using System.CommandLine;
using Mesh.Simulation.Commands;

var root = new RootCommand("Simulated vLLM: an engine model on measured step times behind vLLM's HTTP surface.") { ServeCommand.Create(), FaultsCommand.Create(), RegionsCommand.Create() };
return await root.Parse(args).InvokeAsync();
